/** OpenTofu with the provider `coder/coder`. */
export {
  buildTerraform,
  provider,
  providerVersion,
  type TestTerraform,
} from "./terraform/terraform-programs.ts";
