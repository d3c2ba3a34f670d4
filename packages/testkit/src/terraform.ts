/** OpenTofu with the provider `coder/coder`. */
export { configurationHead, dependentFiles } from "./terraform/dependent-configuration.ts";
export {
  buildTerraform,
  provider,
  providerVersion,
  type TestTerraform,
} from "./terraform/terraform-programs.ts";
