import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";

import { ConfirmDialog } from "../ui/dialog.tsx";

interface UnsavedDialogProps {
  /** True until the changes are saved. */
  readonly isDirty: boolean;
  /** True while they are being saved, which may fail. */
  readonly isSaving: boolean;
  /** The changes that are lost. */
  readonly children: ReactNode;
}

/** Asks before a text that is not saved is left; once it is saved, leaving goes on by itself. */
export function UnsavedDialog({ isDirty, isSaving, children }: UnsavedDialogProps): ReactNode {
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty,
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  const { proceed } = blocker;
  useEffect(() => {
    if (!isDirty) proceed?.();
  }, [isDirty, proceed]);
  if (blocker.status !== "blocked") return null;
  return (
    <ConfirmDialog
      title={isSaving ? "Leave before your changes are saved?" : "Leave without saving?"}
      action="Leave"
      isDangerous
      onConfirm={async () => blocker.proceed()}
      onClose={blocker.reset}
    >
      <p>{isSaving ? "They are lost if saving fails." : children}</p>
    </ConfirmDialog>
  );
}
