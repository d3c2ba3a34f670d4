import type {
  GetAnnouncementBannersResponseSchema,
  MessageInitShape,
  ServiceBannerSchema,
} from "@slipway/wire";

/** There are no banners yet; asked for every two minutes (docs/protocol/rpc.md §7.8). */
export async function announcementBanners(): Promise<
  MessageInitShape<typeof GetAnnouncementBannersResponseSchema>
> {
  return { announcementBanners: [] };
}

/** What agents before version 2.1 ask for instead. */
export async function serviceBanner(): Promise<MessageInitShape<typeof ServiceBannerSchema>> {
  return {};
}
