import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";

/** Returns the name by which agents know the owner of their workspace. */
export function userName(userId: string): string {
  return userId === prebuildsUserId ? "prebuilds" : userId;
}
