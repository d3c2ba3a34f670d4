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

data "coder_parameter" "prompt" {
  name      = "AI Prompt"
  type      = "string"
  form_type = "textarea"
  default   = ""
  mutable   = true
}

data "coder_task" "me" {}

resource "coder_app" "assistant" {
  agent_id = coder_agent.main.id
  slug     = "assistant"
  url      = "http://localhost:3284"
}

resource "coder_ai_task" "task" {
  count  = data.coder_workspace.me.start_count
  app_id = coder_app.assistant.id
}

module "machine" {
  source    = "./machine"
  directory = "RUNS/${data.coder_workspace.me.id}"
  token     = coder_agent.main.token
}

