export { SimNetwork } from "@msg-ts/testing";
