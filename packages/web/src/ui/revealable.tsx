import { Eye, EyeOff } from "lucide-react";
import { type ReactNode, useState } from "react";

import { IconButton } from "./button.tsx";

interface RevealableProps {
  /** The name of the value, for screen readers. */
  readonly of: string;
  readonly children: (isHidden: boolean) => ReactNode;
}

/** A value or a control that is hidden until its button is pressed. */
export function Revealable({ of, children }: RevealableProps): ReactNode {
  const [isHidden, setHidden] = useState(true);
  const Icon = isHidden ? Eye : EyeOff;
  return (
    <div className="flex items-center gap-1">
      {children(isHidden)}
      <IconButton
        size="small"
        className="-my-1"
        label={`${isHidden ? "Show" : "Hide"} ${of}`}
        icon={<Icon aria-hidden size={14} />}
        onClick={() => setHidden(!isHidden)}
      />
    </div>
  );
}
