import { Menu as BaseMenu } from "@base-ui/react/menu";
import type { ReactNode } from "react";

import { classNames } from "./class-names.ts";
import type { MenuEntry, MenuProps } from "./menu.tsx";

interface OpenMenuProps extends MenuProps {
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
}

/** The menu itself; `Menu` loads it when somebody is about to open it. */
export function OpenMenu({ entries, trigger, isOpen, onOpen }: OpenMenuProps): ReactNode {
  return (
    <BaseMenu.Root open={isOpen} onOpenChange={onOpen}>
      <BaseMenu.Trigger render={trigger} />
      <BaseMenu.Portal container={document.querySelector("main")}>
        <BaseMenu.Positioner align="end" sideOffset={4} className="z-20 outline-none">
          <BaseMenu.Popup className="min-w-44 rounded-lg bg-raised p-1 shadow-popup outline-none">
            {entries().map((entry) => (
              <Entry key={entry.label} {...entry} />
            ))}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

function Entry({
  label,
  icon,
  onSelect,
  disabledReason,
  isDangerous = false,
  startsGroup = false,
}: MenuEntry): ReactNode {
  return (
    <>
      {startsGroup && <BaseMenu.Separator className="my-1 h-px bg-line" />}
      <BaseMenu.Item
        disabled={disabledReason !== undefined}
        title={disabledReason}
        onClick={onSelect}
        className={classNames(
          "flex min-h-8 cursor-default items-center gap-2 rounded-md px-2 text-sm outline-none select-none data-disabled:opacity-50 data-highlighted:bg-hover pointer-coarse:min-h-10",
          isDangerous ? "text-bad" : "text-ink",
        )}
      >
        <span aria-hidden className="flex w-4 justify-center text-ink-faint">
          {icon}
        </span>
        {label}
        {disabledReason !== undefined && <span className="sr-only">({disabledReason})</span>}
      </BaseMenu.Item>
    </>
  );
}
