import { systemErrorCode } from "@slipway/runtime";

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

/** The answers to a request that fails with an error of the system. */
interface SystemProblem {
  readonly status: number;
  /** The kind of the error, for programs. */
  readonly reason: string;
}

const systemProblems: Readonly<Record<string, SystemProblem>> = {
  ENOENT: { status: 404, reason: "not-found" },
  ENOTDIR: { status: 400, reason: "wrong-type" },
  EISDIR: { status: 400, reason: "wrong-type" },
  ELOOP: { status: 400, reason: "invalid" },
  ENAMETOOLONG: { status: 400, reason: "invalid" },
  EINVAL: { status: 400, reason: "invalid" },
  EXDEV: { status: 400, reason: "other-device" },
  EACCES: { status: 403, reason: "denied" },
  EPERM: { status: 403, reason: "denied" },
  EROFS: { status: 403, reason: "read-only" },
  EEXIST: { status: 409, reason: "exists" },
  ENOTEMPTY: { status: 409, reason: "not-empty" },
  EBUSY: { status: 409, reason: "in-use" },
  ETXTBSY: { status: 409, reason: "in-use" },
  ENOSPC: { status: 507, reason: "no-space" },
  EDQUOT: { status: 507, reason: "no-space" },
  EFBIG: { status: 507, reason: "no-space" },
  EMFILE: { status: 503, reason: "busy" },
  ENFILE: { status: 503, reason: "busy" },
  busy: { status: 503, reason: "busy" },
};

/** Returns the response to a failed operation on files; any other error unchanged. */
export function fileProblem(error: unknown): unknown {
  if (error instanceof FileError) {
    const options = { reason: error.code, cause: error };
    return new ApiError(statuses[error.code], sentence(error.message), options);
  }
  const problem = systemProblems[systemErrorCode(error) ?? ""];
  if (problem === undefined || !(error instanceof Error)) return error;
  // The system's messages begin with their code.
  const text = error.message.replace(/^[A-Z\d]+: /, "");
  return new ApiError(problem.status, sentence(text), { reason: problem.reason, cause: error });
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
