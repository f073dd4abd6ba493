import type { Campaign } from "./campaign.ts";
import { lifeCampaigns } from "./campaigns/life.ts";
import { workerCampaigns } from "./campaigns/workers.ts";

/** Every campaign, in the order in which they run. */
export const campaigns: readonly Campaign[] = [...lifeCampaigns, ...workerCampaigns];
