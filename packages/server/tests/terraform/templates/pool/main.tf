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

data "coder_parameter" "size" {
  name    = "size"
  type    = "number"
  default = 2
  mutable = true
}

data "coder_workspace_preset" "small" {
  name        = "small"
  default     = true
  description = "Waits for you"
  icon        = "/icon/desktop.svg"
  parameters = {
    size = 2
  }
  prebuilds {
    instances = 1
    expiration_policy {
      ttl = 86400
    }
    scheduling {
      timezone = "UTC"
      schedule {
        cron      = "* 3-4 * * 1"
        instances = 1
      }
    }
  }
}

data "coder_workspace_preset" "large" {
  name = "large"
  parameters = {
    size = 8
  }
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

