"""What every vendor's API is made of: bodies, fields, tasks, routes. Pure: data in, data out."""
