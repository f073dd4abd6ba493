import type { Campaign } from "./campaign.ts";
import { rateCampaigns } from "./campaigns/connect-rate.ts";
import { crowdCampaigns } from "./campaigns/crowds.ts";
import { hostCampaigns } from "./campaigns/host.ts";
import { lifeCampaigns } from "./campaigns/life.ts";
import { strangerCampaigns } from "./campaigns/strangers.ts";
import { workerCampaigns } from "./campaigns/workers.ts";

/** Every campaign, in the order in which they run. */
export const campaigns: readonly Campaign[] = [
  ...lifeCampaigns,
  ...workerCampaigns,
  ...strangerCampaigns,
  ...hostCampaigns,
  ...crowdCampaigns,
  ...rateCampaigns,
];
