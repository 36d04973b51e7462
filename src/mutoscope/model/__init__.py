"""The words of the house: jobs, problems, requests and answers, settings, the catalog. Imports nothing else of ours."""
