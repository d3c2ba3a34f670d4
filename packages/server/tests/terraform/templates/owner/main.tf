terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_provisioner" "me" {}

data "coder_parameter" "extra" {
  name    = "extra"
  type    = "bool"
  default = true
  mutable = true
}

data "coder_parameter" "detail" {
  count   = data.coder_parameter.extra.value == "true" ? 1 : 0
  name    = "detail"
  type    = "string"
  default = data.coder_workspace_owner.me.name
  mutable = true
}

data "coder_workspace_tags" "tags" {
  tags = {
    zone = "home"
  }
}

resource "coder_agent" "main" {
  os   = data.coder_provisioner.me.os
  arch = data.coder_provisioner.me.arch
  env = {
    OWNER = data.coder_workspace_owner.me.name
    EMAIL = data.coder_workspace_owner.me.email
    LOGIN = data.coder_workspace_owner.me.login_type
    ROLES = join(",", data.coder_workspace_owner.me.rbac_roles[*].name)
  }
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

