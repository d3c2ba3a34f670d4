import type { ReactNode } from "react";

import { Mark } from "./shell/logo.tsx";

interface EntryFrameProps {
  readonly title: string;
  /** One line below the title. */
  readonly lead?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of pages before the dashboard: log-in, set-up, and what the command and applications open. */
export function EntryFrame(props: EntryFrameProps): ReactNode {
  return (
    <main>
      <EntryCard {...props} />
    </main>
  );
}

/** The content of such a page, which also stands in a dialog that covers another page. */
export function EntryCard({ title, lead, children }: EntryFrameProps): ReactNode {
  return (
    <div className="flex min-h-dvh flex-col items-center justify-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex flex-col items-center gap-3 text-center">
          <Mark size={40} />
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {lead !== undefined && <p className="text-ink-soft">{lead}</p>}
        </div>
        <div className="flex flex-col gap-4 rounded-lg border border-line bg-surface p-6">
          {children}
        </div>
      </div>
    </div>
  );
}
