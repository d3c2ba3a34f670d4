import { errorText, systemErrorCode } from "@slipway/runtime";

import { FileError, type FileErrorCode } from "../../files/errors.ts";
import { ApiError } from "../errors.ts";

const statuses: Readonly<Record<FileErrorCode, number>> = {
  invalid: 400,
  "wrong-type": 400,
  unmatched: 400,
  "not-found": 404,
  exists: 409,
  changed: 412,
  "too-large": 413,
};

const systemStatuses: Readonly<Record<string, number>> = {
  ENOENT: 404,
  ENOTDIR: 400,
  EISDIR: 400,
  ELOOP: 400,
  ENAMETOOLONG: 400,
  EINVAL: 400,
  EXDEV: 400,
  EACCES: 403,
  EPERM: 403,
  EROFS: 403,
  EEXIST: 409,
  ENOTEMPTY: 409,
  EBUSY: 409,
  ETXTBSY: 409,
  ENOSPC: 507,
  EDQUOT: 507,
  EFBIG: 507,
  EMFILE: 503,
  ENFILE: 503,
  busy: 503,
};

/** Returns the response to a failed operation on files; any other error unchanged. */
export function fileProblem(error: unknown): unknown {
  if (error instanceof FileError) {
    return new ApiError(statuses[error.code], sentence(error.message), { cause: error });
  }
  const status = systemStatuses[systemErrorCode(error) ?? ""];
  if (status === undefined) return error;
  // The system's messages begin with their code.
  const text = errorText(error).replace(/^[A-Z\d]+: /, "");
  return new ApiError(status, sentence(text), { cause: error });
}

/** Translates the errors of an operation on files. */
export async function translated<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw fileProblem(error);
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
