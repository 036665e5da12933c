export { type HubAccess, hubAccess, hubCacheDir } from "./hub-access.ts";
export { type HubRepository, openHubRepository } from "./repository.ts";
