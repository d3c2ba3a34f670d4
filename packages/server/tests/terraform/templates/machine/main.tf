# A machine: a directory, and the agent as a process in a session of its own, which ends with the machine.
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

variable "directory" {
  type = string
}

variable "token" {
  type      = string
  sensitive = true
}

variable "env" {
  type    = map(string)
  default = {}
}

data "coder_workspace" "me" {}

resource "terraform_data" "process" {
  count = data.coder_workspace.me.start_count
  input = var.directory
  lifecycle {
    ignore_changes = [input]
  }
  provisioner "local-exec" {
    environment = merge(var.env, {
      CODER_AGENT_TOKEN = var.token
      CODER_AGENT_URL   = data.coder_workspace.me.access_url
      DIRECTORY         = self.input
    })
    command = <<-EOT
      mkdir -p "$DIRECTORY" && cd "$DIRECTORY"
      export HOME="$DIRECTORY" CODER_AGENT_SOCKET_SERVER_ENABLED=false CODER_AGENT_PPROF_ADDRESS= CODER_AGENT_PROMETHEUS_ADDRESS= CODER_AGENT_DEBUG_ADDRESS=
      setsid "$AGENT_NODE" "$AGENT_PROGRAM" >agent.log 2>&1 </dev/null & echo $! >pid
    EOT
  }
  provisioner "local-exec" {
    when    = destroy
    command = "kill $(cat ${self.input}/pid) || true"
  }
}

output "id" {
  value = one(terraform_data.process[*].id)
}
