module playbooks

go 1.25
