terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

resource "coder_agent" "main" {
  os                  = "linux"
  arch                = "amd64"
  motd_file           = "/etc/motd"
  connection_timeout  = 120
  troubleshooting_url = "https://example.com/help"
  display_apps {
    vscode                 = false
    vscode_insiders        = false
    web_terminal           = true
    ssh_helper             = false
    port_forwarding_helper = true
  }
  metadata {
    key          = "load"
    display_name = "Load"
    script       = "cut -d' ' -f1 /proc/loadavg"
    interval     = 5
    timeout      = 2
    order        = 1
  }
  metadata {
    key      = "date"
    script   = "date"
    interval = 10
    order    = 2
  }
  resources_monitoring {
    memory {
      enabled   = true
      threshold = 80
    }
    volume {
      path      = "/"
      enabled   = true
      threshold = 90
    }
  }
}

resource "coder_metadata" "machine" {
  count       = data.coder_workspace.me.start_count
  resource_id = module.machine.id
  icon        = "/icon/memory.svg"
  daily_cost  = 7
  item {
    key   = "kind"
    value = "process"
  }
  item {
    key       = "password"
    value     = "hunter2"
    sensitive = true
  }
}

resource "terraform_data" "hidden" {}

resource "coder_metadata" "hidden" {
  resource_id = terraform_data.hidden.id
  hide        = true
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

