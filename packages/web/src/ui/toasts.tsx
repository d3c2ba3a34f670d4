import { X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";

import { IconButton } from "./button.tsx";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

/** Tells the outcome of an action whose place on the page is gone; errors stay until they are closed. */
export interface Toaster {
  readonly show: (text: string) => void;
  readonly fail: (text: string) => void;
}

const ToasterContext = createContext<Toaster>({ show: () => {}, fail: () => {} });

export function useToaster(): Toaster {
  return useContext(ToasterContext);
}

const shownMs = 5000;
let lastId = 0;

/** Shows toasts above its children. */
export function ToastArea({ children }: { readonly children: ReactNode }): ReactNode {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const remove = useCallback((id: number) => {
    setToasts((all) => all.filter((toast) => toast.id !== id));
  }, []);
  const toaster = useMemo((): Toaster => {
    const add = (text: string, isError: boolean): void => {
      lastId += 1;
      const id = lastId;
      setToasts((all) => [...all.slice(-3), { id, text, isError }]);
      if (!isError) setTimeout(() => remove(id), shownMs);
    };
    return { show: (text) => add(text, false), fail: (text) => add(text, true) };
  }, [remove]);
  return (
    <ToasterContext value={toaster}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="fixed right-4 bottom-4 z-30 flex w-80 max-w-[calc(100vw-2rem)] flex-col gap-2"
      >
        {toasts.map(({ id, text, isError }) => (
          <div
            key={id}
            className="flex items-start gap-2 rounded-lg bg-raised py-1.5 pr-1.5 pl-4 text-sm shadow-popup"
          >
            <p className={`flex-1 py-1 wrap-anywhere ${isError ? "text-bad" : ""}`}>{text}</p>
            <IconButton
              size="small"
              label="Dismiss"
              icon={<X aria-hidden size={14} />}
              onClick={() => remove(id)}
            />
          </div>
        ))}
      </div>
    </ToasterContext>
  );
}
