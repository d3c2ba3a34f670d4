import { type ReactNode, useState } from "react";

import { Button } from "../../ui/button.tsx";
import { controlCharacter } from "./control-character.ts";

/** Keys that touch keyboards lack, with what they send. */
const keys: readonly (readonly [label: string, text: string, name?: string])[] = [
  ["Esc", "\u001b"],
  ["Tab", "\t"],
  ["←", "\u001b[D", "Left"],
  ["↑", "\u001b[A", "Up"],
  ["↓", "\u001b[B", "Down"],
  ["→", "\u001b[C", "Right"],
  ["|", "|", "Vertical bar"],
  ["/", "/", "Slash"],
  ["-", "-", "Hyphen"],
  ["~", "~", "Tilde"],
];
/** The letters that are pressed most with Ctrl. */
const controlLetters = ["C", "D", "Z", "L", "R", "A", "E"] as const;

/** Keys for touch screens, below the terminal. */
export function KeyBar({ onKey }: { readonly onKey: (text: string) => void }): ReactNode {
  const [isControl, setControl] = useState(false);
  return (
    <div
      role="toolbar"
      aria-label="Keys"
      className="hidden gap-1 overflow-x-auto border-t border-line bg-surface p-1 pointer-coarse:flex"
    >
      <Button
        look={isControl ? "primary" : "secondary"}
        aria-pressed={isControl}
        onClick={() => setControl(!isControl)}
      >
        Ctrl
      </Button>
      {isControl
        ? controlLetters.map((letter) => (
            <Button
              key={letter}
              aria-label={`Control ${letter}`}
              onClick={() => {
                onKey(controlCharacter(letter));
                setControl(false);
              }}
            >
              {letter}
            </Button>
          ))
        : keys.map(([label, text, name]) => (
            <Button key={label} aria-label={name} onClick={() => onKey(text)}>
              {label}
            </Button>
          ))}
    </div>
  );
}
