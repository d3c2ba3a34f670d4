import { Type } from "lucide-react";
import { type ReactNode, useState } from "react";

import { Button, IconButton } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Select } from "../../ui/field.tsx";
import { fontFamilies, fontSizes, setFont, useFont } from "./font-settings.ts";

/** Chooses the font of the terminals in this browser. */
export function FontMenu(): ReactNode {
  const font = useFont();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <IconButton
        label="Font"
        icon={<Type aria-hidden size={16} />}
        onClick={() => setOpen(true)}
      />
      {isOpen && (
        <Dialog
          title="Font"
          onClose={() => setOpen(false)}
          footer={<Button onClick={() => setOpen(false)}>Done</Button>}
        >
          <Field label="Family" isRequired>
            {(ids) => (
              <Select
                {...ids}
                value={font.family}
                onValue={(family) => setFont({ ...font, family })}
              >
                {Object.keys(fontFamilies).map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Size" isRequired>
            {(ids) => (
              <Select
                {...ids}
                value={font.size}
                onValue={(size) => setFont({ ...font, size: Number(size) })}
              >
                {fontSizes.map((size) => (
                  <option key={size}>{size}</option>
                ))}
              </Select>
            )}
          </Field>
        </Dialog>
      )}
    </>
  );
}
