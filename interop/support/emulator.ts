import { existsSync } from "node:fs";

/** The emulator of arm64, which newer releases of Debian link statically under its plain name. */
export const emulator = existsSync("/usr/bin/qemu-aarch64-static")
  ? "qemu-aarch64-static"
  : "qemu-aarch64";
