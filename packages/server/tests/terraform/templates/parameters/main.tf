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

data "coder_parameter" "name" {
  name         = "name"
  display_name = "Name of the project"
  description  = "The **directory** to work in."
  type         = "string"
  default      = "demo"
  mutable      = true
  order        = 1
  icon         = "/icon/folder.svg"
  styling      = jsonencode({ placeholder = "my-project" })
  validation {
    regex = "^[a-z-]{2,20}$"
    error = "Use small letters and hyphens."
  }
}

data "coder_parameter" "notes" {
  name      = "notes"
  type      = "string"
  form_type = "textarea"
  default   = "first\nsecond"
  mutable   = true
  order     = 2
}

data "coder_parameter" "region" {
  name      = "region"
  type      = "string"
  form_type = "radio"
  default   = "north"
  order     = 3
  option {
    name  = "North"
    value = "north"
    icon  = "/emojis/2b06.png"
  }
  option {
    name        = "South"
    value       = "south"
    description = "Where it is warm"
  }
}

data "coder_parameter" "editor" {
  name      = "editor"
  type      = "string"
  form_type = "dropdown"
  default   = "vim"
  mutable   = true
  order     = 4
  dynamic "option" {
    for_each = toset(["vim", "emacs", "ed"])
    content {
      name  = upper(option.value)
      value = option.value
    }
  }
}

data "coder_parameter" "cpus" {
  name      = "cpus"
  type      = "number"
  form_type = "slider"
  default   = 2
  mutable   = true
  order     = 5
  validation {
    min       = 1
    max       = 8
    monotonic = "increasing"
  }
}

data "coder_parameter" "port" {
  name    = "port"
  type    = "number"
  default = 8080
  order   = 6
}

data "coder_parameter" "debug" {
  name      = "debug"
  type      = "bool"
  form_type = "switch"
  default   = false
  mutable   = true
  order     = 7
}

data "coder_parameter" "agree" {
  name    = "agree"
  type    = "bool"
  default = true
  order   = 8
}

data "coder_parameter" "tools" {
  name      = "tools"
  type      = "list(string)"
  form_type = "multi-select"
  default   = jsonencode(["git"])
  mutable   = true
  order     = 9
  option {
    name  = "Git"
    value = "git"
  }
  option {
    name  = "Make"
    value = "make"
  }
}

data "coder_parameter" "labels" {
  name      = "labels"
  type      = "list(string)"
  form_type = "tag-select"
  default   = jsonencode([])
  mutable   = true
  order     = 10
}

data "coder_parameter" "reset" {
  name      = "reset"
  type      = "bool"
  default   = false
  mutable   = true
  ephemeral = true
  order     = 11
}
resource "coder_env" "tools" {
  agent_id = coder_agent.main.id
  name     = "TOOLS"
  value    = join(",", jsondecode(data.coder_parameter.tools.value))
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

