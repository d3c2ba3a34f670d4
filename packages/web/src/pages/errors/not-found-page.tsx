import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import type { ReactNode } from "react";

import { buttonClasses } from "../../ui/button.tsx";
import { EmptyState } from "../../ui/layout.tsx";

export function NotFoundPage(): ReactNode {
  return (
    <>
      <h1 className="sr-only">Page not found</h1>
      <EmptyState
        icon={<Compass size={28} />}
        title="There is no such page"
        action={
          <Link to="/workspaces" className={buttonClasses("primary")}>
            Go to your workspaces
          </Link>
        }
      >
        The address may be mistyped, or what it led to is gone.
      </EmptyState>
    </>
  );
}
