import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Missing } from "../../components/missing.tsx";
import { buttonClasses } from "../../ui/button.tsx";
import { useTemplate } from "./use-template.ts";

/** Stands where a version would be that does not exist. */
export function MissingVersion(): ReactNode {
  const { name: template } = useTemplate();
  return (
    <Missing
      title="There is no such version"
      action={
        <Link
          to="/templates/$template/versions"
          params={{ template }}
          className={buttonClasses("primary")}
        >
          All versions
        </Link>
      }
    >
      The link may be incomplete, or the version may belong to a template that was deleted.
    </Missing>
  );
}
