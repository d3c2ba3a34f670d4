/** The holder of locks and writer of rows: a transaction, of which only the identity matters here. */
export type Holder = object;
