/** The beginning of every configuration. */
export const configurationHead = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
`;

/**
 * A configuration whose parameters depend on each other: \`gpus\` is there if \`gpu\` is on, \`zone\` has the options and the default
 * of its \`region\`, \`quota\` is for members of a group with the owner's name as its default, and \`theme\` is in a module.
 */
export const dependentFiles: Readonly<Record<string, string>> = {
  "main.tf": `${configurationHead}
locals {
  zones = { eu = ["eu-1", "eu-2"], us = ["us-1"] }
}
data "coder_parameter" "gpu" {
  name    = "gpu"
  type    = "bool"
  default = "false"
  mutable = true
  order   = 1
}
data "coder_parameter" "gpus" {
  count   = data.coder_parameter.gpu.value == "true" ? 1 : 0
  name    = "gpus"
  type    = "number"
  default = 1
  mutable = true
  order   = 2
  validation {
    min = 1
    max = 4
  }
}
data "coder_parameter" "region" {
  name    = "region"
  default = "eu"
  mutable = true
  order   = 3
  option {
    name  = "Europe"
    value = "eu"
  }
  option {
    name  = "America"
    value = "us"
  }
}
data "coder_parameter" "zone" {
  name    = "zone"
  default = local.zones[data.coder_parameter.region.value][0]
  mutable = true
  order   = 4
  dynamic "option" {
    for_each = local.zones[data.coder_parameter.region.value]
    content {
      name  = option.value
      value = option.value
    }
  }
}
data "coder_parameter" "quota" {
  count   = contains(data.coder_workspace_owner.me.groups, "Everyone") ? 1 : 0
  name    = "quota"
  default = data.coder_workspace_owner.me.name
  mutable = true
  order   = 5
}
module "ide" {
  source = "./ide"
  on     = data.coder_parameter.gpu.value
}
`,
  "ide/main.tf": `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
variable "on" {}
data "coder_parameter" "theme" {
  count   = var.on == "true" ? 1 : 0
  name    = "theme"
  default = "dark"
  mutable = true
  order   = 6
}
`,
};
