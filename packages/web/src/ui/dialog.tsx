import { X } from "lucide-react";
import {
  type FormEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";

import { Button, IconButton } from "./button.tsx";
import { errorText } from "./error-text.ts";
import { Notice } from "./notice.tsx";
import { useToaster } from "./toasts.tsx";

interface DialogProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Buttons below the content. */
  readonly footer?: ReactNode;
  readonly isWide?: boolean;
}

/**
 * A modal dialog of the browser, open as long as it is mounted: it keeps the focus, which begins in its first field, and
 * Escape closes it.
 */
export function Dialog({
  title,
  onClose,
  children,
  footer,
  isWide = false,
}: DialogProps): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>(firstField)?.focus();
    return () => {
      dialog?.close();
      requestAnimationFrame(() => focusAgain(opener));
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      // The event comes late: for a dialog that is gone, or that is shown again.
      onClose={() => {
        if (ref.current?.open === false) onClose();
      }}
      className={`max-h-[calc(100dvh-2rem)] rounded-lg bg-raised text-left font-normal whitespace-normal shadow-popup ${isWide ? "w-3xl" : "w-lg"} max-w-[calc(100vw-2rem)]`}
    >
      <header className="flex items-center justify-between gap-4 border-b border-line py-2 pr-2 pl-5">
        <h2 id={id} className="text-lg font-semibold wrap-anywhere">
          {title}
        </h2>
        <IconButton label="Close" icon={<X aria-hidden size={16} />} onClick={onClose} />
      </header>
      <div className="flex flex-col gap-4 px-5 py-4">{children}</div>
      {footer !== undefined && (
        <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
          {footer}
        </footer>
      )}
    </dialog>
  );
}

const firstField = "input, textarea, select";

/** Focuses what opened a dialog, or the page if that is gone, unless the focus is somewhere already. */
function focusAgain(opener: Element | null): void {
  if (document.activeElement !== document.body) return;
  const next = opener?.isConnected === true ? opener : document.querySelector("main");
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/** Returns whether the component is still there, for what comes back to it later. */
export function useIsMounted(): { readonly current: boolean } {
  const isMounted = useRef(false);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);
  return isMounted;
}

interface ConfirmDialogProps {
  readonly title: ReactNode;
  /** The consequences of the action. */
  readonly children: ReactNode;
  /** The verb of the action. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** The reason why the action cannot be confirmed yet. */
  readonly disabledReason?: string | undefined;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before an action, runs it, and stays open with the error if it fails. Enter in a field confirms. */
export function ConfirmDialog({
  title,
  children,
  action,
  isDangerous = false,
  disabledReason,
  onConfirm,
  onClose,
}: ConfirmDialogProps): ReactNode {
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({
    isBusy: false,
    error: undefined,
  });
  const form = useId();
  const toaster = useToaster();
  const isOpen = useIsMounted();
  const confirm = async (): Promise<void> => {
    setState({ isBusy: true, error: undefined });
    try {
      await onConfirm();
      // Whoever closed it meanwhile may have opened another in its place.
      if (isOpen.current) onClose();
    } catch (error) {
      if (isOpen.current) setState({ isBusy: false, error });
      else toaster.fail(errorText(error));
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void confirm();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{state.isBusy ? "Close" : "Cancel"}</Button>
          <Button
            type="submit"
            form={form}
            look={isDangerous ? "danger" : "primary"}
            isBusy={state.isBusy}
            disabledReason={disabledReason}
          >
            {action}
          </Button>
        </>
      }
    >
      <form id={form} noValidate onSubmit={submit} className="flex flex-col gap-4">
        {children}
        {state.error !== undefined && <Notice tone="bad" title={errorText(state.error)} />}
      </form>
    </Dialog>
  );
}
