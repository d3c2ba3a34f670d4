/** The directory of this package. It is two steps up from `src/config`, `dist/config` and `dist/bundle` alike. */
export const packageDirectory = new URL("../../", import.meta.url);
