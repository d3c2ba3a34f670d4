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

resource "coder_app" "site" {
  agent_id     = coder_agent.main.id
  slug         = "site"
  display_name = "Site"
  url          = "http://localhost:8000?x=1"
  icon         = "/icon/code.svg"
  subdomain    = true
  share        = "authenticated"
  order        = 1
  group        = "Web"
  open_in      = "tab"
  healthcheck {
    url       = "http://localhost:8000/healthz"
    interval  = 5
    threshold = 6
  }
}

resource "coder_app" "shell" {
  agent_id = coder_agent.main.id
  slug     = "shell"
  command  = "sh"
  order    = 2
}

resource "coder_app" "docs" {
  agent_id     = coder_agent.main.id
  slug         = "docs"
  display_name = "Documentation"
  url          = "https://example.com/docs"
  external     = true
  order        = 3
}

resource "coder_app" "inner" {
  agent_id = coder_agent.main.id
  slug     = "inner"
  url      = "http://localhost:9000"
  hidden   = true
  share    = "public"
  order    = 4
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

