/**
 * The nil UUID, which stands for "absent" in requests of stock clients (docs/protocol/clients.md §0.3). It has its
 * own file, so that an agent does not load the schemas.
 */
export const nilUuid = "00000000-0000-0000-0000-000000000000";
