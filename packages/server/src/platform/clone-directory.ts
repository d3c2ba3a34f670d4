/** The directory of the clone, for files of it that the server hands out. `dist/bundle` lies as deep as `src/platform`. */
export const cloneDirectory = new URL("../../../../", import.meta.url);
