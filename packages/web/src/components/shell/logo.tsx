import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** The name of the product, which leads to the start. */
export function Logo(): ReactNode {
  return (
    <Link to="/" className="flex items-center gap-2 rounded-md text-base font-semibold">
      <Mark />
      Slipway
    </Link>
  );
}

/** The mark of the product. */
export function Mark({ size = 20 }: { readonly size?: number }): ReactNode {
  return <img src="/favicon.svg" alt="" width={size} height={size} />;
}
