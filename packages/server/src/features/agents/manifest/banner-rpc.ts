import type { AppearanceUpdate } from "@slipway/api/deployment/deployment";
import type { MessageInitShape } from "@slipway/wire/protobuf/descriptors";
import type {
  GetAnnouncementBannersResponseSchema,
  ServiceBannerSchema,
} from "@slipway/wire/protobuf/gen/agent_pb";

export interface BannerNeeds {
  /** Reads the banners of the deployment. */
  readonly readAppearance: () => Promise<AppearanceUpdate>;
}

/**
 * Returns the banners of the deployment. Stock agents poll them every two minutes, ours at each shell
 * (docs/protocol/rpc.md §7.8).
 */
export async function announcementBanners({
  readAppearance,
}: BannerNeeds): Promise<MessageInitShape<typeof GetAnnouncementBannersResponseSchema>> {
  const { announcement_banners: banners } = await readAppearance();
  return {
    announcementBanners: banners.map(({ enabled, message = "", background_color = "" }) => ({
      enabled,
      message,
      backgroundColor: background_color,
    })),
  };
}

/** Returns the banner that agents before version 2.1 request instead: the first that is enabled. */
export async function serviceBanner({
  readAppearance,
}: BannerNeeds): Promise<MessageInitShape<typeof ServiceBannerSchema>> {
  const { announcement_banners: banners } = await readAppearance();
  const { message = "", background_color = "" } = banners.find(({ enabled }) => enabled) ?? {};
  return message === "" ? {} : { enabled: true, message, backgroundColor: background_color };
}
