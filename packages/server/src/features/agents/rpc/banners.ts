import type {
  GetAnnouncementBannersResponseSchema,
  MessageInitShape,
  ServiceBannerSchema,
} from "@slipway/wire";

/** Returns no banners, because there are none yet; agents ask every two minutes (docs/protocol/rpc.md §7.8). */
export async function announcementBanners(): Promise<
  MessageInitShape<typeof GetAnnouncementBannersResponseSchema>
> {
  return { announcementBanners: [] };
}

/** Returns the banner that agents before version 2.1 request instead. */
export async function serviceBanner(): Promise<MessageInitShape<typeof ServiceBannerSchema>> {
  return {};
}
