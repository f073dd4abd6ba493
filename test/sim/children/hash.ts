/** Prints the hash of one run: `node hash.ts push-pull 11`. */
import process from "node:process";
import { patterns, simulate } from "../simulate.ts";

const [, , name, seed] = process.argv;
const pattern = patterns.find((one) => one === name);
if (pattern === undefined) throw new Error(`no pattern ${name}`);
const { hash } = await simulate({ pattern, seed: Number(seed) });
console.log(hash);
