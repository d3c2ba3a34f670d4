terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}

resource "coder_agent" "main" {
  os                      = "linux"
  arch                    = "amd64"
  dir                     = "~"
  startup_script_behavior = "blocking"
  startup_script          = "echo agent >>~/order"
  shutdown_script         = "echo bye >>~/order"
  env = {
    GREETING = "hello"
  }
}

resource "coder_script" "prepare" {
  agent_id           = coder_agent.main.id
  display_name       = "Prepare"
  icon               = "/icon/code.svg"
  run_on_start       = true
  start_blocks_login = true
  timeout            = 60
  log_path           = "prepare.log"
  script             = "echo \"$GREETING $SUBJECT\" >~/greeting"
}

resource "coder_script" "nightly" {
  agent_id     = coder_agent.main.id
  display_name = "Nightly"
  cron         = "0 0 3 * * *"
  script       = "true"
}

resource "coder_script" "farewell" {
  agent_id     = coder_agent.main.id
  display_name = "Farewell"
  run_on_stop  = true
  script       = "true"
}

resource "coder_env" "subject" {
  agent_id = coder_agent.main.id
  name     = "SUBJECT"
  value    = "world"
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

