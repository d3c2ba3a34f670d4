terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

