import { LoaderCircle } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

import { classNames } from "./class-names.ts";

type Look = "primary" | "secondary" | "ghost" | "danger";
type Size = "small" | "normal";

const base =
  "inline-flex shrink-0 items-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors select-none aria-disabled:cursor-not-allowed aria-disabled:opacity-50 pointer-coarse:min-h-10";

const looks: Readonly<Record<Look, string>> = {
  primary: "bg-accent text-on-accent not-aria-disabled:hover:bg-accent-hover",
  secondary: "border border-line bg-surface text-ink not-aria-disabled:hover:bg-hover",
  ghost: "text-ink-soft not-aria-disabled:hover:bg-hover not-aria-disabled:hover:text-ink",
  danger: "bg-bad text-on-bad not-aria-disabled:hover:opacity-90",
};

const sizes: Readonly<Record<Size, string>> = {
  small: "h-7 text-sm",
  normal: "h-8 text-sm",
};
const paddings: Readonly<Record<Size, string>> = { small: "px-2", normal: "px-3" };
const squares: Readonly<Record<Size, string>> = { small: "w-7", normal: "w-8" };

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> {
  readonly look?: Look;
  readonly size?: Size;
  /** The reason why the button does nothing now; it stays focusable, so that the reason can be read. */
  readonly disabledReason?: string | undefined;
  /** True while its action runs: it cannot be pressed again. */
  readonly isBusy?: boolean;
  /** An icon before the text. */
  readonly icon?: ReactNode;
  /** `row` fills a list's width; `square` has room for an icon alone. */
  readonly shape?: "normal" | "row" | "square";
  readonly ref?: Ref<HTMLButtonElement>;
}

export function Button({
  look = "secondary",
  size = "normal",
  disabledReason,
  isBusy = false,
  icon,
  shape = "normal",
  className,
  children,
  onClick,
  type = "button",
  ...rest
}: ButtonProps): ReactNode {
  const isOff = disabledReason !== undefined || isBusy;
  return (
    <button
      {...rest}
      type={type}
      className={classNames(
        base,
        shape === "row" ? "w-full justify-between" : "justify-center",
        spaces(shape, size),
        looks[look],
        sizes[size],
        className,
      )}
      aria-disabled={isOff || undefined}
      aria-busy={isBusy || undefined}
      title={disabledReason ?? rest.title}
      // A form without a button that sends it would be sent by the Enter key nevertheless.
      onClick={isOff ? (event) => event.preventDefault() : onClick}
    >
      {isBusy ? <LoaderCircle aria-hidden size={14} className="animate-spin" /> : icon}
      {children}
      {disabledReason !== undefined && <span className="sr-only">({disabledReason})</span>}
    </button>
  );
}

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon" | "shape"> {
  /** The name of the action, for screen readers and as a tooltip. */
  readonly label: string;
  readonly icon: ReactNode;
}

/** A square button that shows only an icon. */
export function IconButton({ label, look = "ghost", ...rest }: IconButtonProps): ReactNode {
  return <Button title={label} {...rest} look={look} shape="square" aria-label={label} />;
}

/** The classes that make a link look like a button; `square` has room for an icon alone. */
export function buttonClasses(
  look: Look = "secondary",
  size: Size = "normal",
  shape: "normal" | "square" = "normal",
): string {
  return classNames(base, "justify-center", looks[look], sizes[size], spaces(shape, size));
}

function spaces(shape: "normal" | "row" | "square", size: Size): string {
  return shape === "square" ? `${squares[size]} pointer-coarse:min-w-10` : paddings[size];
}
