"""What other packages call things that have another name here: errors say ours."""
