import { ApiError, ConnectError } from "@slipway/sdk/http";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { Notice } from "../ui/notice.tsx";

/** Stands where a page cannot be shown, with what to do about it. */
export function PageFailure({ error, reset }: ErrorComponentProps): ReactNode {
  const router = useRouter();
  const again = async (): Promise<void> => {
    reset();
    await router.invalidate();
  };
  return <FailureNotice error={error} onRetry={() => void again()} />;
}

interface FailureNoticeProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
  /** Stands in place of the notice if there is nothing to read (default: the notice says so). */
  readonly missing?: ReactNode;
}

/** Stands where content cannot be read. */
export function FailureNotice({ error, onRetry, missing }: FailureNoticeProps): ReactNode {
  if (missing !== undefined && isMissing(error)) return missing;
  const action = isUnloaded(error) ? (
    <Button onClick={() => location.reload()}>Load the page again</Button>
  ) : onRetry === undefined ? undefined : (
    <Button onClick={onRetry}>Try again</Button>
  );
  return (
    <Notice tone="bad" title={titleOf(error)} action={action}>
      {adviceOf(error)}
    </Notice>
  );
}

/** The texts of browsers for a script that they could not load. */
const unloadedTexts = /dynamically imported module|importing a module script failed/i;

/** Returns whether the script of a page is missing. The browser remembers that until the page is loaded again. */
function isUnloaded(error: unknown): boolean {
  return error instanceof TypeError && unloadedTexts.test(error.message);
}

function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

function titleOf(error: unknown): string {
  if (error instanceof ConnectError) return "The server is not responding.";
  if (isUnloaded(error)) return "This page could not be loaded.";
  return errorText(error);
}

function adviceOf(error: unknown): string | undefined {
  if (error instanceof ConnectError)
    return "Check your connection. This page continues as soon as the server responds.";
  if (isUnloaded(error))
    return "The server is not responding, or it was updated since you opened the dashboard.";
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 403) return "Ask an administrator for permission.";
  if (error.status === 404) return "It may have been deleted, or you may not have access to it.";
  return undefined;
}
