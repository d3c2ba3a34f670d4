import { Monitor, Moon, Sun } from "lucide-react";
import type { ReactNode } from "react";

import { setTheme, type Theme, useTheme } from "../../components/shell/theme.ts";
import { RadioGroup } from "../../ui/choices.tsx";
import { Panel } from "../../ui/layout.tsx";

const themes = [
  { value: "system", label: "System", hint: "Follows your device.", icon: <Monitor size={16} /> },
  { value: "light", label: "Light", hint: "Dark text on white.", icon: <Sun size={16} /> },
  { value: "dark", label: "Dark", hint: "Light text on black.", icon: <Moon size={16} /> },
] as const satisfies readonly { value: Theme; label: string; hint: string; icon: ReactNode }[];

export function AppearancePage(): ReactNode {
  const theme = useTheme();
  return (
    <Panel title="Theme">
      <RadioGroup
        isRequired
        isLabelHidden
        label="Theme"
        value={theme}
        choices={themes}
        onValue={setTheme}
      />
      <p className="mt-3 text-sm text-ink-soft">Saved in this browser.</p>
    </Panel>
  );
}
