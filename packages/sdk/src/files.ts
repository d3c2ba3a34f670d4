export { FileChangedError } from "./files/errors.ts";
export { Files } from "./files/files.ts";
export type {
  FileContent,
  FileSource,
  FoundMatches,
  ReadOptions,
  SearchOptions,
  WriteOptions,
} from "./files/file-options.ts";
