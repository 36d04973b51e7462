"""OpenAI's API: words, speech, pictures, videos and files under /v1."""
