"""DashScope: Wan by Alibaba Cloud Model Studio."""
