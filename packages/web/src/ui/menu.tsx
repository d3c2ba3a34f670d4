import type { ReactElement, ReactNode } from "react";
import { lazy, Suspense, useState } from "react";

/** An entry of a menu. */
export interface MenuEntry {
  readonly label: string;
  readonly icon?: ReactNode;
  readonly onSelect: () => void;
  /** The reason why it cannot be selected now. */
  readonly disabledReason?: string | undefined;
  readonly isDangerous?: boolean;
  /** True if a line is drawn above it. */
  readonly startsGroup?: boolean;
}

export interface MenuProps {
  /** Called only once the menu is about to open: a list has as many menus as rows. */
  readonly entries: () => readonly MenuEntry[];
  /** The button that opens the menu. */
  readonly trigger: ReactElement<Record<string, unknown>>;
}

const OpenMenu = lazy(async () => ({ default: (await import("./open-menu.tsx")).OpenMenu }));

/** A button with a menu. The code of menus is loaded with the first that is pointed at, focused or opened. */
export function Menu({ entries, trigger }: MenuProps): ReactNode {
  const [isNear, setNear] = useState(false);
  const [isOpen, setOpen] = useState(false);
  if (!isNear) {
    const approach = (): void => {
      void import("./open-menu.tsx");
    };
    const open = (): void => {
      setOpen(true);
      setNear(true);
    };
    return (
      <span onPointerEnter={approach} onFocus={approach} onClick={open} className="contents">
        {trigger}
      </span>
    );
  }
  return (
    <Suspense fallback={trigger}>
      <OpenMenu entries={entries} trigger={trigger} isOpen={isOpen} onOpen={setOpen} />
    </Suspense>
  );
}
