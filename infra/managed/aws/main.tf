# The endpoint of endpoint.toml as Terraform: the same resources as `fsdl-deploy managed aws deploy` makes.
#
#     terraform init       fetches the provider, once, from the network
#     terraform apply -var mail=you@example.org
#     terraform destroy

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "name" {
  type    = string
  default = "meter-reader"
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "image" {
  type    = string
  default = "meter-reader"
}

variable "instance" {
  type    = string
  default = "ml.m5.xlarge"
}

variable "instances_least" {
  type    = number
  default = 1
}

variable "instances_most" {
  type    = number
  default = 3
}

variable "calls_a_minute" {
  type    = number
  default = 600
}

variable "captured" {
  type    = number
  default = 10
}

variable "errors" {
  type    = number
  default = 5
}

variable "idle_hours" {
  type    = number
  default = 6
}

variable "budget" {
  type    = number
  default = 50
}

variable "mail" {
  type    = string
  default = ""
}

variable "variants" {
  type    = map(number)
  default = { v1 = 9, v2 = 1 }
}

# The tag stands on everything that can have one.
provider "aws" {
  region = var.region
  default_tags {
    tags = { project = var.name }
  }
}

data "aws_caller_identity" "here" {}

locals {
  account  = data.aws_caller_identity.here.account_id
  log      = "/aws/sagemaker/Endpoints/${var.name}"
  log_arn  = "arn:aws:logs:${var.region}:${local.account}:log-group:${local.log}"
  registry = "${local.account}.dkr.ecr.${var.region}.amazonaws.com/${var.image}"
}

# What warns comes before what costs.
resource "aws_budgets_budget" "monthly" {
  name         = "${var.name}-${var.region}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = var.budget
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:project$%s", var.name)]
  }

  cost_filter {
    name   = "Region"
    values = [var.region]
  }

  dynamic "notification" {
    for_each = var.mail == "" ? [] : [var.mail]
    content {
      notification_type          = "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold                  = 80
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = [notification.value]
    }
  }
}

resource "aws_sns_topic" "alarms" {
  name = var.name
}

resource "aws_sns_topic_subscription" "mail" {
  count     = var.mail == "" ? 0 : 1
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.mail
}

resource "aws_s3_bucket" "captures" {
  bucket        = "${var.name}-${local.account}-${var.region}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "captures" {
  bucket                  = aws_s3_bucket.captures.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "captures" {
  bucket = aws_s3_bucket.captures.bucket

  rule {
    id     = "captured"
    status = "Enabled"
    filter {
      prefix = "captured/"
    }
    expiration {
      days = 7
    }
  }
}

resource "aws_cloudwatch_log_group" "endpoint" {
  name              = local.log
  retention_in_days = 14
}

data "aws_iam_policy_document" "trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "endpoint" {
  statement {
    effect    = "Allow"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["arn:aws:ecr:${var.region}:${local.account}:repository/${var.image}"]
  }
  statement {
    effect    = "Allow"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    effect    = "Allow"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [local.log_arn, "${local.log_arn}:*"]
  }
  statement {
    effect    = "Allow"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = ["/aws/sagemaker/Endpoints", "AWS/SageMaker"]
    }
  }
  statement {
    effect    = "Allow"
    actions   = ["s3:PutObject"]
    resources = ["arn:aws:s3:::${var.name}-${local.account}-${var.region}/captured/*"]
  }
}

resource "aws_iam_role" "endpoint" {
  name               = "${var.name}-${var.region}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "endpoint" {
  name   = "endpoint"
  role   = aws_iam_role.endpoint.name
  policy = data.aws_iam_policy_document.endpoint.json
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each            = var.variants
  alarm_name          = "${var.name}--${each.key}-errors"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = var.errors
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  dimensions = {
    EndpointName = var.name
    VariantName  = each.key
  }
}

# Nobody asks: then it costs what it costs for nothing.
resource "aws_cloudwatch_metric_alarm" "idle" {
  for_each            = var.variants
  alarm_name          = "${var.name}--${each.key}-idle"
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocations"
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.idle_hours
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  dimensions = {
    EndpointName = var.name
    VariantName  = each.key
  }
}

resource "aws_sagemaker_model" "variant" {
  for_each                 = var.variants
  name                     = "${var.name}--${each.key}"
  execution_role_arn       = aws_iam_role.endpoint.arn
  enable_network_isolation = true

  primary_container {
    image = "${local.registry}:${each.key}"
  }

  depends_on = [aws_iam_role_policy.endpoint]
}

resource "aws_sagemaker_endpoint_configuration" "endpoint" {
  name = var.name

  dynamic "production_variants" {
    for_each = var.variants
    content {
      variant_name           = production_variants.key
      model_name             = aws_sagemaker_model.variant[production_variants.key].name
      instance_type          = var.instance
      initial_instance_count = var.instances_least
      initial_variant_weight = production_variants.value
    }
  }

  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = var.captured
    destination_s3_uri          = "s3://${aws_s3_bucket.captures.bucket}/captured"
    capture_options {
      capture_mode = "Input"
    }
    capture_options {
      capture_mode = "Output"
    }
  }
}

resource "aws_sagemaker_endpoint" "endpoint" {
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.endpoint.name

  depends_on = [aws_cloudwatch_log_group.endpoint, aws_budgets_budget.monthly]
}

resource "aws_appautoscaling_target" "variant" {
  for_each           = var.variants
  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.endpoint.name}/variant/${each.key}"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = var.instances_least
  max_capacity       = var.instances_most
}

resource "aws_appautoscaling_policy" "variant" {
  for_each           = var.variants
  name               = "${var.name}--${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.variant[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.variant[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.variant[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.calls_a_minute
    scale_out_cooldown = 60
    scale_in_cooldown  = 300
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
  }
}
