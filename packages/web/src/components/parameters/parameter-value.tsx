import type { ReactNode } from "react";

import { Revealable } from "../../ui/revealable.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { valueText } from "./list-value.ts";

/** Stands for a masked value, whatever its length. */
export const maskedText = "••••••••";

interface ParameterValueProps {
  /** The name of the parameter, as text of the page. */
  readonly title: string;
  readonly value: string;
  readonly isMasked: boolean;
}

/** The value of a parameter; a masked one is shown at a press of its button. */
export function ParameterValue({ title, value, isMasked }: ParameterValueProps): ReactNode {
  if (value === "") return <span className="text-ink-faint">empty</span>;
  const text = valueText(value);
  if (!isMasked) return <UntrustedText>{text}</UntrustedText>;
  return (
    <Revealable of={title}>
      {(isHidden) => <UntrustedText>{isHidden ? maskedText : text}</UntrustedText>}
    </Revealable>
  );
}
