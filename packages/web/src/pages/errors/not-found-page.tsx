import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { EntryFrame } from "../../components/entry-frame.tsx";
import { buttonClasses } from "../../ui/button.tsx";

/** Stands at addresses without a page, for visitors too. */
export function NotFoundPage(): ReactNode {
  return (
    <EntryFrame title="There is no such page">
      <p className="text-center text-ink-soft">
        The address may be mistyped, or the page may have moved.
      </p>
      <Link to="/workspaces" className={buttonClasses("primary")}>
        <span className="w-full text-center">Go to your workspaces</span>
      </Link>
    </EntryFrame>
  );
}
