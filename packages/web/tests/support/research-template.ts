/** A template with a parameter of each form, texts that are no markup, and a preset with a prebuild. */
export const researchTemplate = `
driver: external
display_name: Research box
description: "<img src=x onerror=alert(1)> \u202Eevil"
parameters:
  region:
    { type: string, default: eu, mutable: true, options: [{ name: Frankfurt, value: eu }, { name: Virginia, value: us }] }
  image:
    type: string
    default: debian
    description: What it runs.
    form_type: dropdown
    options: [{ name: Debian, value: debian }, { name: Fedora, value: fedora }]
  cpus: { type: number, default: 4, form_type: slider, mutable: true, validation: { min: 1, max: 16 } }
  memory: { type: number, default: 8, mutable: true, validation: { min: 1, max: 64 } }
  gpu: { type: bool, default: false, mutable: true, display_name: With a GPU }
  tools:
    { type: "list(string)", default: ["go"], mutable: true, options: [{ name: Go, value: go }, { name: Rust, value: rust }] }
  hosts: { type: "list(string)", default: [], mutable: true }
  notes: { type: string, default: "", form_type: textarea, mutable: true }
  branch: { type: string, default: main, ephemeral: true }
  repository: { type: string, mutable: true, validation: { regex: "^https://", error: must begin with https } }
presets:
  large: { display_name: As large as it gets, description: For training, parameters: { cpus: 16, repository: "https://git.example/x" }, prebuilds: { instances: 1 } }
agents:
  main: { os: linux, arch: amd64 }
`;
