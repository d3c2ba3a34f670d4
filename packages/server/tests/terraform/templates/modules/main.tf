terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

locals {
  ports = {
    api     = "8001"
    metrics = "8002"
  }
}

resource "coder_agent" "api" {
  os   = "linux"
  arch = "amd64"
  env  = { PORTS = join(",", values(local.ports)) }
}

resource "coder_agent" "spare" {
  count = 1
  os    = "linux"
  arch  = "amd64"
}

resource "coder_app" "each" {
  for_each = local.ports
  agent_id = coder_agent.api.id
  slug     = each.key
  url      = "http://localhost:${each.value}"
}

module "api_machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}/api"
  token     = coder_agent.api.token
}

module "spare_machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}/spare"
  token     = coder_agent.spare[0].token
}
