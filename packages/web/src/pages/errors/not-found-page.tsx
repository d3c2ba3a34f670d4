import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Missing } from "../../components/missing.tsx";
import { buttonClasses } from "../../ui/button.tsx";

export function NotFoundPage(): ReactNode {
  return (
    <Missing
      isPage
      title="There is no such page"
      action={
        <Link to="/workspaces" className={buttonClasses("primary")}>
          Go to your workspaces
        </Link>
      }
    >
      The address may be mistyped, or the page may have moved.
    </Missing>
  );
}
